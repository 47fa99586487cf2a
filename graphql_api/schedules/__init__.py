"""On-call schedules, as the API shows them."""
