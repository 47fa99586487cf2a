"""What providers of mail call back: that a mail arrived, was opened, or came back. One file a provider."""
