// The FFmpeg room.
