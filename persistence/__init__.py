"""The stores: PostgreSQL (the record), Redis streams (live), objects (attachments)."""
