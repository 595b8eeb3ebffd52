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
    /// Why it was ended though it is wanted.
    var fault: HandoverCause?
    /// How much work it spends on a picture; `nil` where that cannot be chosen.
    var effort: EncoderEffort?
    /// It has given no picture for as long as it may take.
    var isStalled = false
    /// What went wrong with it is told already, or it was told to end.
    var isAccountedFor = false
    /// It was told to end before it had taken over: how it ends says nothing.
    var isMoot = false

    /// Where it begins.
    enum Beginning {
        /// With what comes now.
        case fresh
        /// Where the one before ended.
        case resumed
        /// There too, with pictures at another pace than those before.
        case repaced
        /// Ahead, where it takes over from the one that runs.
        case ahead
    }

    /// What it takes to run one: the command, and the process's ends of its pipes.
    struct Ready {
        var command: FFmpegCommand
        var attachment: DataPath.Attachment
        var input: FileDescriptor
        var output: FileDescriptor
    }
}
