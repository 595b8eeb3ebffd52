/// The first FFmpeg on the PATH, which the service under test uses.
package enum InstalledFFmpeg {
    /// Reads the major and minor number of its release. A snapshot without a number counts as the newest.
    package static func release() async throws -> (Int, Int) {
        let text = try await TestProcess.run("ffmpeg", ["-version"]).success("ffmpeg -version").text
        guard let match = text.firstMatch(of: /^ffmpeg version n?(\d+)\.(\d+)/), let major = Int(match.1),
            let minor = Int(match.2)
        else { return (.max, 0) }
        return (major, minor)
    }
}
