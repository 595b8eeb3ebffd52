import TestSupport

extension Stage {
    /// Starts an RTMP target that prints a line for each video frame as it comes, so that its arrival can be timed.
    ///
    /// - Parameter url: The address to listen on.
    func frameWatcher(_ url: String) async throws -> TestProcess {
        try await program(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-analyzeduration", "1", "-fpsprobesize", "0", "-listen", "1", "-f", "flv",
                "-i", url, "-map", "0:v", "-c", "copy", "-flush_packets", "1",
                "-f", "framehash", "-hash", "adler32", "pipe:1",
            ])
    }
}
