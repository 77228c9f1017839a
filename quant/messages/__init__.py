"""What steps, workflows and API exchange: plain data, free of numerical libraries."""
