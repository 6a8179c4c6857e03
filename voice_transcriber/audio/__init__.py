"""From a media file to windows of speech: probe, decode, cut, find speech."""
