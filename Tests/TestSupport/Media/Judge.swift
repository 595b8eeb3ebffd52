import Foundation

/// The FFmpeg that checks streams: the first on the PATH, or the one that `scripts/test --judge` names.
package enum Judge {
    package static let ffmpeg = path("ffmpeg")
    package static let ffprobe = path("ffprobe")

    private static func path(_ name: String) -> String {
        ProcessInfo.processInfo.environment["STREAMBOX_TEST_JUDGE"].map { "\($0)/\(name)" } ?? name
    }
}
