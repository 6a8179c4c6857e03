"""We beside the other programs that run Whisper: the same recordings, model, beams and threads."""
