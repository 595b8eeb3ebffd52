import TestSupport

extension Stage {
    /// Writes a wrapper of the installed FFmpeg.
    ///
    /// - Parameter script: Lines of bash; `$real` is the installed FFmpeg.
    /// - Returns: The path of the wrapper.
    func ffmpegWrapper(_ script: String) async throws -> String {
        let real = try await TestProcess.run("sh", ["-c", "command -v ffmpeg"]).success("ffmpeg").text.split(
            separator: "\n")[0]
        return try folder.write("ffmpeg", "#!/bin/bash\nreal='\(real)'\n\(script)\n", mode: 0o755)
    }

    /// Writes a wrapper of the installed FFmpeg whose encoders of groups read their input slowly.
    ///
    /// - Parameters:
    ///   - rate: The read rate; 1 is real time.
    ///   - condition: A condition of bash under which an encoder is slow. ` $* ` is its command line.
    /// - Returns: The path of the wrapper.
    func slowFFmpeg(rate: Double, when condition: String) async throws -> String {
        try await ffmpegWrapper(
            """
            arguments=()
            for argument in "$@"; do
                if [[ $argument == -i && " $* " == *" pipe:0 "* && \(condition) ]]; then
                    arguments+=(-readrate \(rate))
                fi
                arguments+=("$argument")
            done
            exec "$real" "${arguments[@]}"
            """)
    }
}
