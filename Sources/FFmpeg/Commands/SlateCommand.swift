package import MediaTypes

/// A plain card, an image or a text → a short MPEG-TS file, which the service repeats on air.
package struct SlateCommand: Sendable, Hashable {
    /// The contents of the slate.
    package struct Picture: Sendable, Hashable {
        /// The path of an image. It is shown whole, with bars if its aspect ratio differs.
        package var image: String?
        /// The path of a file with the text. The text is not an argument, because some of its characters would have a
        /// meaning to the filter.
        package var textFile: String?
        /// A font file for the text.
        package var font: String?

        package init(image: String? = nil, textFile: String? = nil, font: String? = nil) {
            self.image = image
            self.textFile = textFile
            self.font = font
        }

        /// Only the card.
        package static let plain = Picture()
    }

    package var picture: Picture
    package var codec: VideoCodec
    package var size: FrameSize
    package var rate: FrameRate
    /// The profile by the encoder's name for it. `nil` leaves it to the encoder.
    package var profile: String?
    /// The pixel aspect of the source that the slate replaces.
    package var pixel: PixelAspect
    /// The number of frames.
    package var frames: Int
    /// The file to write.
    package var output: String

    package init(
        picture: Picture, codec: VideoCodec, size: FrameSize, rate: FrameRate, profile: String? = nil,
        pixel: PixelAspect = .square, frames: Int, output: String
    ) {
        self.picture = picture
        self.codec = codec
        self.size = size
        self.rate = rate
        self.profile = profile
        self.pixel = pixel
        self.frames = frames
        self.output = output
    }

    package func command() -> FFmpegCommand {
        FFmpegCommand(
            role: .slate,
            arguments: FFmpegCommand.preamble(.slate) + input + [
                "-frames:v", "\(frames)", "-vf", filters.joined(separator: ","), "-an",
            ] + encoding + [
                "-f", "mpegts", "-omit_video_pes_length", "0", "-muxdelay", "0", "-muxpreload", "0", "-y",
                "file:\(output)",
            ])
    }

    /// The size to draw, in square pixels.
    private var canvas: FrameSize { pixel == .square ? size : ArrivingFrames(size: size, pixel: pixel).squareSize }

    private var input: [String] {
        guard let image = picture.image else {
            // The card is dark and a little lighter at the top, so that it does not look like a lost signal.
            return [
                "-f", "lavfi", "-i",
                "gradients=size=\(canvas):rate=\(rate):c0=0x2b3440:c1=0x12161c:x0=0:y0=0:x1=0:y1=\(size.height)"
                    + ":nb_colors=2:speed=0.00001",
            ]
        }
        return ["-protocol_whitelist", "file,crypto,data", "-i", "file:\(image)"]
    }

    private var filters: [String] {
        var filters: [String] = []
        if picture.image != nil {
            filters += [
                "scale=\(canvas):force_original_aspect_ratio=decrease:force_divisible_by=2",
                "pad=\(canvas.width):\(canvas.height):(ow-iw)/2:(oh-ih)/2:color=black",
            ]
        }
        filters.append("setsar=1")
        if let textFile = picture.textFile {
            let height = max(14, size.height / 14)
            let place = picture.image == nil ? "(h-text_h)/2" : "h-text_h-h/12"
            filters.append(
                "drawtext=" + (picture.font.map { "fontfile=\(Self.quoted($0)):" } ?? "")
                    + "textfile=\(Self.quoted(textFile)):expansion=none"
                    + ":fontsize=\(height):fontcolor=white:x=(w-text_w)/2:y=\(place):line_spacing=\(height / 3)"
                    + ":box=1:boxcolor=black@0.4:boxborderw=\(height / 2)")
        }
        if pixel != .square { filters += ["scale=\(size)", "setsar=\(pixel.width)/\(pixel.height)"] }
        // The frame is drawn once, and the filters repeat it. Of a moving image it is the first frame. The image's own
        // rate, that of a GIF or the 25 that FFmpeg assumes for a PNG, is not the rate of the slate.
        return filters + [
            "format=yuv420p", "loop=loop=-1:size=1:start=0", "settb=1/90000", "setpts=N/(\(rate))/TB", "fps=\(rate)",
        ]
    }

    /// Quotes a path for a filter.
    private static func quoted(_ path: String) -> String {
        var quoted = ""
        for character in path {
            if "\\':,;[]%".contains(character) { quoted += "\\" }
            quoted.append(character)
        }
        // Quoted a second time, because FFmpeg parses the graph before it parses the filter's options.
        var twice = ""
        for character in quoted {
            if "\\'[],;".contains(character) { twice += "\\" }
            twice.append(character)
        }
        return twice
    }

    private var encoding: [String] {
        // A keyframe every half second, so that a new reader does not wait long.
        let interval = max(1, rate.frames(in: .milliseconds(500)))
        switch codec {
        // A feed does not carry AV1, so its slate is H.264.
        case .h264, .av1:
            return [
                "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "\(interval)", "-sc_threshold", "0", "-crf",
                "22",
            ]
                + (profile.map { ["-profile:v", $0] } ?? [])
        case .hevc:
            return [
                "-c:v", "libx265", "-preset", "superfast", "-crf", "24", "-x265-params",
                "keyint=\(interval):min-keyint=\(interval):scenecut=0:bframes=0:open-gop=0:repeat-headers=1"
                    + ":log-level=error",
            ]
        }
    }
}
