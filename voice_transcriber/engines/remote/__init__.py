"""The engine of another machine: any server that speaks OpenAI's transcription dialect."""
