import Configuration
import FFmpeg

/// Codecs that a target cannot be given by the FFmpeg in use.
enum CodecObjections {
    /// - Throws: ``Failure`` with the place of each target that would never be live.
    static func check(_ loaded: LoadedConfiguration, against ffmpeg: FFmpegCapabilities) throws {
        guard !ffmpeg.hasEnhancedFLV else { return }
        var lines: [String] = []
        for group in loaded.configuration.channels.flatMap(\.groups) {
            guard case .encode(let video) = group.video, video.codec != .h264 else { continue }
            for target in group.targets {
                guard case .rtmp = target.destination else { continue }
                lines.append(
                    "\(loaded.name):\(target.location): target '\(target.name)' cannot be sent \(video.codec.rawValue): the RTMP of FFmpeg \(ffmpeg.version) carries h264 only; write codec: h264, choose an SRT or record target, or use FFmpeg 6.1 or newer")
            }
        }
        guard lines.isEmpty else { throw Failure(status: 2, description: lines.joined(separator: "\n")) }
    }
}
