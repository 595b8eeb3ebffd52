import DataPath
import EncoderSelection
import FFmpeg
import SystemPackage

/// A generation of an encoder whose process runs or is being started.
struct EncoderGeneration {
    var child: ChildHandle
    var cause: HandoverCause?
    var encoder: EncoderCandidate?
    var attachment: DataPath.Attachment?
    /// Why its process was ended although an encoder is wanted. `nil` if it was not.
    var fault: HandoverCause?
    /// How much work the encoder spends on a frame. `nil` for an encoder without such a choice.
    var effort: EncoderEffort?
    /// Whether it delivered no frame within its time limit.
    var isStalled = false
    /// Whether its fault is already reported, or it was asked to end.
    var isAccountedFor = false
    /// Whether it was asked to end before it took over, so its exit says nothing about its encoder.
    var isMoot = false

    /// The point in the stream at which a generation begins.
    enum Beginning {
        /// At the newest input. It does not continue earlier output.
        case fresh
        /// Where the generation before it ended.
        case resumed
        /// Where the generation before it ended, with frames at another rate.
        case repaced
        /// At a frame ahead of the generation that runs. The new generation takes over there.
        case ahead
    }

    /// What a generation needs to run: its command, and the ends of the pipes that its process gets.
    struct Ready {
        var command: FFmpegCommand
        var attachment: DataPath.Attachment
        var input: FileDescriptor
        var output: FileDescriptor
        /// Called with FFmpeg's progress, and with `nil` after the process has ended. It must not block.
        var onProgress: @Sendable (Progress?) -> Void = { _ in }
    }
}
