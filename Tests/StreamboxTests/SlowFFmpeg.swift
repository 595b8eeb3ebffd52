import TestSupport

extension Stage {
    /// Writes a wrapper of the installed FFmpeg whose encoders of groups read their input slowly.
    ///
    /// - Parameters:
    ///   - rate: The read rate; 1 is real time.
    ///   - condition: A condition of bash under which an encoder is slow. ` $* ` is its command line.
    /// - Returns: The path of the wrapper.
    func slowFFmpeg(rate: Double, when condition: String) throws -> String {
        try folder.write(
            "ffmpeg",
            """
            #!/bin/bash
            arguments=()
            for argument in "$@"; do
                if [[ $argument == -i && " $* " == *" pipe:0 "* && \(condition) ]]; then
                    arguments+=(-readrate \(rate))
                fi
                arguments+=("$argument")
            done
            exec ffmpeg "${arguments[@]}"

            """, mode: 0o755)
    }
}
