"""What people arrange beside the rules: absences and extra rounds."""
