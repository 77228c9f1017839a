"""What the steps, the workflows and the API exchange: plain data, without numerical libraries."""
