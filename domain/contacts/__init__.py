"""By what is a person reached, when, and when not?"""
