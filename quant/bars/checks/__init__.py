"""What bars are checked for: rules, spacing, oddities and what trading them costs."""
