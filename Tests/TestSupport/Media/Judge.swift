import Foundation

/// The FFmpeg that judges streams: the first on the PATH, or the one that `scripts/test --judge` names.
public enum Judge {
    public static let ffmpeg = path("ffmpeg")
    public static let ffprobe = path("ffprobe")

    private static func path(_ name: String) -> String {
        ProcessInfo.processInfo.environment["STREAMBOX_TEST_JUDGE"].map { "\($0)/\(name)" } ?? name
    }
}
