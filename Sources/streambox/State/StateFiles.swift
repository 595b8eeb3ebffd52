import BoxConfiguration
import FFmpeg
import Supervision

/// The files that outlast a restart of the service, all in the state folder.
struct StateFiles {
    /// The state folder. `nil` if there is none: nothing is then stored.
    let folder: String?

    init(_ configuration: BoxConfiguration, environment: [String: String]) {
        folder = ServicePaths.state(configuration, environment: environment)
    }

    /// The abilities of the FFmpeg that was used last.
    var ffmpeg: StateFile<FFmpegKnowledge> { StateFile(folder: folder, name: "ffmpeg.json") }

    /// The groups and targets that the operator stopped.
    var stopped: StateFile<StoppedOutputs> { StateFile(folder: folder, name: "stopped.json") }

    /// The encoder that each group used last.
    var encoders: StateFile<[String: String]> { StateFile(folder: folder, name: "encoders.json") }

    /// The first slates of the channels.
    func slates(of configuration: BoxConfiguration) -> SlateStore? {
        folder.map { SlateStore(folder: $0 + "/slates", channels: configuration.channels.map(\.name)) }
    }
}
