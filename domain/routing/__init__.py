"""Which alerts are told to whom, as rules say it?"""
