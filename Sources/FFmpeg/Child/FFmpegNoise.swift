/// What FFmpeg warns of in a healthy run, and nobody can or should do anything about.
package enum FFmpegNoise {
    /// Whether a line says nothing.
    package static func contains(_ line: LogLine) -> Bool {
        // With each picture of another size than the first: of filters that are none of ours. Since FFmpeg 7 a second
        // line has the sizes.
        if line.text.hasSuffix("Changing video frame properties on the fly is not supported by all filters.") {
            return true
        }
        let text = LogLine.withoutPrefixes(line.text)
        // Of sound that comes behind the first pictures, on a busy machine: its decoder is opened with the first frame.
        if text.hasPrefix("Could not find codec parameters for stream "), text.contains(" (Audio: "),
            text.hasSuffix(": unspecified sample format")
        {
            return true
        }
        return beginnings.contains { text.hasPrefix($0) }
    }

    private static let beginnings = [
        "filter context - w: ",
        // Of pictures with the full range of values, as cameras and JPEG have them: it is converted as it should be.
        "deprecated pixel format used, make sure you did set range correctly",
        // Of sound that is told to have one or two channels, and not which.
        "Guessed Channel Layout",
        // Said behind the line on sound above.
        "Consider increasing the value for the 'analyzeduration' ",
        // The second one is meant: see the preset of publishers.
        "Multiple -r options specified for stream",
        // Of a source without audio, by FFmpeg 7 and later: its sound would be encoded if it came.
        "Codec AVOption b:a (",
        // Of audio alone as MPEG-TS: how often its clock reference comes is a guess, and nothing here goes by it.
        "frame size not set",
        // Of a file that could not be read in real time for a moment, by FFmpeg 8 and later.
        "Resumed reading at pts ",
        // Of a VA driver that writes some headers itself. Whether parameter sets come, the trial shows.
        "Driver does not support some wanted packed headers ",
    ]
}
