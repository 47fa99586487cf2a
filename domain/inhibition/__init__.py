"""Which alerts say nothing new while another one stands? Parents, children, and the marks they are held by."""
