package import MediaTypes

/// An encoder that the file may name, with its codec and its family.
package struct EncoderName: Sendable, Equatable {
    package let name: String
    package let codec: VideoCodec
    package let family: EncoderFamily

    /// Every known encoder. FFmpeg has no AV1 encoder for V4L2.
    package static let all: [EncoderName] = {
        var names: [EncoderName] = []
        for codec in VideoCodec.allCases {
            for family in EncoderFamily.allCases where family != .software {
                guard !(codec == .av1 && family == .v4l2m2m) else { continue }
                names.append(EncoderName(name: "\(codec.rawValue)_\(family.rawValue)", codec: codec, family: family))
            }
        }
        return names + [
            EncoderName(name: "libx264", codec: .h264, family: .software),
            EncoderName(name: "libx265", codec: .hevc, family: .software),
            EncoderName(name: "libsvtav1", codec: .av1, family: .software),
        ]
    }()

    /// The hardware and software that the encoder needs, and how to get them: the end of a sentence.
    package var needs: String {
        switch family {
        case .vaapi:
            """
            an Intel or AMD GPU with its VA driver (install intel-media-va-driver or mesa-va-drivers) and \
            membership of the groups render and video
            """
        case .nvenc: "an NVIDIA GPU with its driver (install nvidia-driver and libnvidia-encode1)"
        case .qsv:
            """
            an Intel GPU with its VA driver and the Quick Sync runtime (install intel-media-va-driver and \
            libmfx-gen1.2, or on Debian 12 libmfx1)
            """
        case .v4l2m2m: "a board whose kernel has a V4L2 encoder, and membership of the group video"
        case .software: "an FFmpeg that was built with it"
        }
    }

    package static func known(_ name: String) -> EncoderName? { all.first { $0.name == name } }

    /// Why the service has no encoder called `name`: a sentence without its subject.
    static func refusal(of name: String) -> ParseError {
        let parts = name.split(separator: "_", maxSplits: 1).map(String.init)
        if parts.count == 2, VideoCodec(rawValue: parts[0]) != nil {
            switch parts[1] {
            case "videotoolbox":
                return ParseError(
                    "exists on macOS only; on Linux write \(parts[0])_vaapi, \(parts[0])_nvenc or auto")
            case "mf", "d3d12va":
                return ParseError(
                    "exists on Windows only; on Linux write \(parts[0])_vaapi, \(parts[0])_nvenc or auto")
            case "amf":
                return ParseError("is not supported here; for AMD GPUs write \(parts[0])_vaapi")
            case "v4l2m2m":
                return ParseError("does not exist in FFmpeg; write auto or libsvtav1")
            default: break
            }
        }
        if let family = EncoderFamily(rawValue: name), family != .software {
            return ParseError("is a family of encoders; name one encoder, for instance h264_\(family.rawValue)")
        }
        let known = all.map(\.name)
        let nearest = NearestName.find(name, among: known + ["auto"])
        return ParseError(
            "is not a known encoder; " + (nearest.map { "did you mean '\($0)'? " } ?? "")
                + "allowed: auto, " + known.joined(separator: ", "))
    }
}
