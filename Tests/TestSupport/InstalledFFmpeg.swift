/// The first FFmpeg on the PATH, which the service under test uses.
package enum InstalledFFmpeg {
    /// Major and minor number of its release; a snapshot without one counts as the newest.
    package static func release() async throws -> (Int, Int) {
        let text = try await TestProcess.run("ffmpeg", ["-version"]).success("ffmpeg -version").text
        guard let match = text.firstMatch(of: /^ffmpeg version n?(\d+)\.(\d+)/), let major = Int(match.1),
            let minor = Int(match.2)
        else { return (.max, 0) }
        return (major, minor)
    }
}
