"""What happens as it happens: one hub a process feeds every subscription of it."""
