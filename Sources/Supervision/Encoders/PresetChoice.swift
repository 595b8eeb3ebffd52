import BoxConfiguration
import EncoderSelection
import FFmpeg
import MediaTypes

/// The preset that the software encoder of a group uses, and the state from which the next one is decided.
struct PresetChoice: Sendable {
    private(set) var effort: EffortMachine
    let pauses: EffortMachine.Pauses
    /// `nil` if the video is copied.
    private var codec: VideoCodec?
    /// The last measurement of the processors.
    private var lastSample: ProcessorRoom.Sample?
    /// Whether a measurement is planned.
    var isLookingForRoom = false

    /// - Parameter first: The first pause before a better preset is tried, for tests.
    init(_ video: VideoOutput, first: Duration?) {
        pauses = EffortMachine.Pauses(first: first)
        effort = EffortMachine(pauses: pauses)
        codec = Self.codec(of: video)
    }

    /// Changes to another configuration, and forgets what was learned about presets.
    mutating func reset(to video: VideoOutput, now: Duration) {
        codec = Self.codec(of: video)
        handle(.reset, now: now)
    }

    private static func codec(of video: VideoOutput) -> VideoCodec? {
        if case .encode(let encoding) = video { encoding.codec } else { nil }
    }

    @discardableResult
    mutating func handle(_ event: EffortMachine.Event, now: Duration) -> EffortMachine.Effect? {
        effort.handle(event, steps: codec.map { SoftwarePreset.efforts(for: $0) } ?? [], now: now)
    }

    /// The preset's name in FFmpeg.
    func name(of effort: EncoderEffort) -> String { SoftwarePreset.name(effort, for: codec ?? .h264) }
    /// The preset of encoders that are started now.
    var name: String { name(of: effort.effort) }

    /// Whether the processors have room for a better preset. `nil` if the measurements do not show it.
    mutating func hasRoom(_ sample: ProcessorRoom.Sample?) -> Bool? {
        defer { lastSample = sample }
        return ProcessorRoom.isThere(from: lastSample, to: sample)
    }
}
