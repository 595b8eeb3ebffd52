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
    /// Why it was ended although an encoder is wanted.
    var fault: HandoverCause?
    /// How much work it spends on a frame; `nil` where that cannot be chosen.
    var effort: EncoderEffort?
    /// Whether it gave no frame within its time limit.
    var isStalled = false
    /// Whether its fault is already reported, or it was asked to end.
    var isAccountedFor = false
    /// Whether it was asked to end before it took over, so its exit says nothing about its encoder.
    var isMoot = false

    /// Where a generation begins.
    enum Beginning {
        /// At the newest input.
        case fresh
        /// Where the generation before it ended.
        case resumed
        /// Where the generation before it ended, with frames at another rate.
        case repaced
        /// Ahead of the generation that runs, where it takes over.
        case ahead
    }

    /// All that a generation needs to run: the command, and the process's ends of its pipes.
    struct Ready {
        var command: FFmpegCommand
        var attachment: DataPath.Attachment
        var input: FileDescriptor
        var output: FileDescriptor
        /// Called with FFmpeg's progress, and with `nil` after the process has ended. It must not block.
        var progressed: @Sendable (Progress?) -> Void = { _ in }
    }
}
