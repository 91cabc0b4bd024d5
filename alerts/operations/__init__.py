"""What people arrange beside the rules: absences, extra rounds, and who has asked to be called."""
