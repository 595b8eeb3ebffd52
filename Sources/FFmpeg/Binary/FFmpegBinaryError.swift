/// Why no usable FFmpeg was found: one sentence that names the place and the fix.
package enum FFmpegBinaryError: Error, Sendable, Hashable, CustomStringConvertible {
    case notOnPath
    case missing(path: String)
    case notExecutable(path: String)
    case notFFmpeg(path: String)
    case tooOld(path: String, version: String)
    case hung(path: String, seconds: Int)
    case failed(path: String, reason: String)

    package var description: String {
        switch self {
        case .notOnPath:
            "no ffmpeg program is on the PATH: install it (apt install ffmpeg) or set `ffmpeg:` to its path"
        case .missing(let path):
            "\(path) does not exist: install FFmpeg (apt install ffmpeg) or set `ffmpeg:` to its path"
        case .notExecutable(let path):
            """
            \(path) is not a program that this user may execute: set `ffmpeg:` to FFmpeg's path, or give it the \
            right to execute (chmod a+rx)
            """
        case .notFFmpeg(let path):
            "\(path) is not FFmpeg: set `ffmpeg:` to FFmpeg's path (apt install ffmpeg)"
        case .tooOld(let path, let version):
            """
            \(path) is FFmpeg \(version), but \
            \(FFmpegVersion.oldestSupported.major).\(FFmpegVersion.oldestSupported.minor) or newer is needed: \
            update it (apt install ffmpeg)
            """
        case .hung(let path, let seconds):
            "\(path) did not answer within \(seconds) s: set `ffmpeg:` to a working FFmpeg (apt install ffmpeg)"
        case .failed(let path, let reason):
            """
            \(path) could not be run (\(reason)): reinstall FFmpeg (apt install --reinstall ffmpeg) or set \
            `ffmpeg:` to a working one
            """
        }
    }
}
