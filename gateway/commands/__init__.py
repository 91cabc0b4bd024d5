"""What people and the other threads ask of the loop; one file a subject, each command with what it does and answers."""
