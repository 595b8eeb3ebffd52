/// FFmpeg's warnings in a healthy run, which need no action by an operator.
package enum FFmpegNoise {
    /// Whether a line is such a warning.
    package static func contains(_ line: LogLine) -> Bool {
        // Logged for each frame whose size differs from the first one's. It is about filters that the service does not
        // use. Since FFmpeg 7 a second line has the sizes.
        if line.text.hasSuffix("Changing video frame properties on the fly is not supported by all filters.") {
            return true
        }
        let text = LogLine.withoutPrefixes(line.text)
        // On a busy machine, if audio arrives after the first frames: its decoder is opened with the first audio frame.
        if text.hasPrefix("Could not find codec parameters for stream "), text.contains(" (Audio: "),
            text.hasSuffix(": unspecified sample format")
        {
            return true
        }
        return beginnings.contains { text.hasPrefix($0) }
    }

    private static let beginnings = [
        "filter context - w: ",
        // Frames with the full range of values, as cameras and JPEG have: they are converted correctly.
        "deprecated pixel format used, make sure you did set range correctly",
        // Audio that declares one or two channels, but not which.
        "Guessed Channel Layout",
        // Follows the line about audio above.
        "Consider increasing the value for the 'analyzeduration' ",
        // The second option is intended: see the preset of publishers.
        "Multiple -r options specified for stream",
        // A source without audio, with FFmpeg 7 and later: the option is for audio that may arrive later.
        "Codec AVOption b:a (",
        // Audio alone as MPEG-TS: the interval of its clock reference is a guess, and the service does not use it.
        "frame size not set",
        // A file that could not be read in real time for a moment, with FFmpeg 8 and later.
        "Resumed reading at pts ",
        // A VA driver that writes some headers itself. The trial checks whether the stream has parameter sets.
        "Driver does not support some wanted packed headers ",
    ]
}
