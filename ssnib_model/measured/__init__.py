"""What was measured: files of instruments, as time, current and voltage."""
