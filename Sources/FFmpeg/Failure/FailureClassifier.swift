/// Finds the cause of an exit in FFmpeg's messages. This and ``RefusalWords`` are the only code that knows FFmpeg's
/// wording (5.1 to 9.0).
package enum FailureClassifier {
    private struct Rule {
        let text: String
        let cause: FailureCause

        init(_ text: String, _ cause: FailureCause) {
            self.text = text
            self.cause = cause
        }
    }

    /// - Parameters:
    ///   - isOutputOpen: Whether the process had opened its output: a publisher's server had accepted it.
    ///   - lasted: How long the process ran.
    ///   - usesDisk: Whether its input or output is a file, and not a peer.
    package static func cause(
        role: FFmpegCommand.Role, status: ChildStatus, log: LogExcerpt, isOutputOpen: Bool, lasted: Duration = .zero,
        usesDisk: Bool = false
    ) -> FailureCause {
        switch status {
        case .notStarted:
            return .notStarted
        case .abandoned:
            return .stuck
        case .signalled(9):
            return .killed
        case .signalled(let number):
            // The loss of a device is often logged just before the crash that it causes.
            return first(of: gone, in: log.all) ?? (fatalSignals.contains(number) ? .crash : .killed)
        case .exited(0):
            // For an unplugged capture card only the log has the cause, and so for a publisher that left an RTMP
            // listener.
            return first(of: gone + (usesDisk ? disk : role == .relay ? cuts : []), in: log.all) ?? .ended
        case .exited:
            var words: [String] = []
            var echoes: [String] = []
            for line in log.all { if isEcho(line) { echoes.append(line) } else { words.append(line) } }
            // An encoder's -1 is not EPERM, but FFmpeg prints it as EPERM.
            let cause =
                knownCause(in: words, role, usesDisk: usesDisk)
                ?? knownCause(in: echoes, role, usesDisk: usesDisk, except: "Operation not permitted")
            if let cause { return cause == .permission ? permission(role, words) : cause }
            return vague(role, log.all, isOutputOpen: isOutputOpen, lasted: lasted) ?? .unknown
        }
    }

    /// In order of weight: an earlier rule explains the messages of the later ones.
    private static func knownCause(
        in lines: [String], _ role: FFmpegCommand.Role, usesDisk: Bool, except text: String? = nil
    ) -> FailureCause? {
        // Processes on our pipes, and recordings, have no peer. An error there that elsewhere means the network means
        // the device or the disk.
        let others = usesDisk ? disk : hasPeer(role) ? network : []
        if hasPeer(role), waitsForTLS(lines) { return .wrongProtocol }
        if let cause = first(of: gone + encoders + others, in: lines) { return cause }
        if RefusedOption.refused(in: lines) != nil { return .unsupported }
        return first(of: (hasPeer(role) ? [] : ownEnds) + general.filter { $0.text != text }, in: lines)
    }

    /// Whether it was connected and got no answer to the TLS handshake: an RTMP server reads the handshake as RTMP, and
    /// waits for more data.
    private static func waitsForTLS(_ lines: [String]) -> Bool {
        ["IO error: Connection timed out", "Cannot open connection tls://"].allSatisfy { text in
            lines.contains { contains($0, text) }
        }
    }

    /// Whether FFmpeg 7 or later repeats a failure by the text of its error number alone. Such lines are read only if
    /// no other line gives the cause.
    static func isEcho(_ line: String) -> Bool { echoes.contains { contains(line, $0) } }

    private static let echoes = [
        "Task finished with error code:", "Terminating thread with return code", "Error sending frames to consumers:",
        "Error encoding a frame:",
        "Error opening input files:", "Error opening output files:", "Error parsing global options:",
    ]

    private static func hasPeer(_ role: FFmpegCommand.Role) -> Bool {
        switch role {
        case .encoder, .trial, .audioConverter: false
        default: true
        }
    }

    /// SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
    private static let fatalSignals: Set<Int32> = [4, 5, 6, 7, 8, 11, 31]

    /// In order of weight: an earlier rule explains the messages of the later ones.
    private static let gone = [
        Rule("No such device", .deviceGone),
        Rule("ioctl(VIDIOC_DQBUF)", .deviceGone),
        Rule("No VA display found for device", .deviceGone),
        Rule("CUDA_ERROR_NO_DEVICE", .deviceGone),
        Rule("No CUDA capable devices found", .deviceGone),
    ]

    private static let encoders: [Rule] = [
        // NVENC and Quick Sync, during any call.
        Rule(": device does not exist (", .deviceGone),
        Rule(": device lost (", .driverError),
        Rule(": device failed (", .driverError),
        Rule(": GPU Hang (", .driverError),
        // FFmpeg then also prints `No capable devices found`.
        Rule("OpenEncodeSessionEx failed: out of memory", .sessionLimit),
        Rule("OpenEncodeSessionEx failed: incompatible client key", .sessionLimit),
        // Other processes use the GPU's memory, and may work well.
        Rule("InitializeEncoder failed: out of memory", .sessionLimit),
        Rule("CreateInputBuffer failed: out of memory", .sessionLimit),
        Rule("CreateBitstreamBuffer failed: out of memory", .sessionLimit),
        Rule("CUDA_ERROR_OUT_OF_MEMORY", .sessionLimit),
        Rule("Failed to create surface: 2 ", .sessionLimit),
        Rule("Cannot load libcuda", .driverMissing),
        Rule("Cannot load libnvidia-encode", .driverMissing),
        Rule("Failed to initialise VAAPI connection: -1 ", .driverMissing),
        // Functions that an older driver lacks. Error -1 follows.
        Rule("Cannot load cu", .driverMissing),
        Rule("Cannot load NvEnc", .driverMissing),
        Rule("Driver does not support the required nvenc API version", .driverMissing),
        Rule("Failed to query nvenc max version", .driverMissing),
        Rule("Failed to create nvenc instance", .driverMissing),
        // A GPU without an encoder.
        Rule("OpenEncodeSessionEx failed: unsupported device", .unsupported),
        Rule("Cannot get the preset configuration: unsupported param", .unsupported),
        Rule("No usable encoding entrypoint", .unsupported),
        Rule("No usable encoding profile", .unsupported),
        Rule("No usable render target format", .unsupported),
        Rule("Surface RT format", .unsupported),
        // Warnings begin with `Driver does not support` too.
        Rule("Hardware does not support", .unsupported),
        Rule("Driver does not support CBR RC mode", .unsupported),
        Rule("Driver does not support any RC mode", .unsupported),
        Rule("Driver does not support any reference frames", .unsupported),
        Rule("Driver does not support any usable slice structure", .unsupported),
        Rule("Driver does not support encoding", .unsupported),
        Rule("Impossible to convert between the formats", .unsupported),
        Rule("Failed to create processing pipeline", .unsupported),
        Rule("Provided device doesn't support required NVENC features", .unsupported),
        Rule("Error initializing an internal MFX session", .driverMissing),
        Rule("Error initializing an MFX session", .driverMissing),
        Rule("Error initializing a MFX session", .driverMissing),
        // With libvpl instead of libmfx, from Debian's FFmpeg 7 on.
        Rule("Error creating a MFX", .driverMissing),
        Rule("Error querying a MFX session", .driverMissing),
        Rule("Error querying an MFX session", .driverMissing),
        Rule("Error adding a MFX configuration", .driverMissing),
        Rule("Could not find a valid device", .deviceGone),
        Rule("Failed to initialise VAAPI connection", .driverError),
        Rule("Failed to end picture encode issue", .driverError),
        Rule("Failed to sync to output buffer completion", .driverError),
        Rule("Failed to sync surface", .driverError),
        Rule("Failed to upload frame", .driverError),
        Rule("Failed to create encode pipeline context", .sessionLimit),
        Rule("EncodePicture failed", .driverError),
        Rule("Cannot get the preset configuration", .driverError),
        Rule("CreateInputBuffer failed", .driverError),
        Rule("CreateBitstreamBuffer failed", .driverError),
        Rule("SetIOCudaStreams failed", .driverError),
        Rule("GetSequenceParams failed", .driverError),
        Rule("failed to reconfigure nvenc", .driverError),
        Rule("Failed locking nvenc input buffer", .driverError),
        Rule("Failed unlocking input buffer!", .driverError),
        Rule("Error registering an input resource", .driverError),
        Rule("Error mapping an input resource", .driverError),
        Rule("Failed unmapping input resource", .driverError),
        Rule("Failed unregistering unused input resource", .driverError),
        Rule("InitializeEncoder failed", .unsupported),
        // Quick Sync lost the device while encoding. Unsupported settings are reported at its start.
        Rule("Error during encoding", .driverError),
        Rule("Error during resetting", .driverError),
        Rule("Error submitting the frame for encoding", .driverError),
        Rule("Error initializing the encoder", .unsupported),
        Rule("Error querying encoder params", .unsupported),
        Rule("Error querying (IOSurf) the encoding parameters", .unsupported),
        Rule("some encoding parameters are not supported by the QSV", .unsupported),
        Rule("Error calling GetVideoParam", .driverError),
        Rule("Error retrieving encoding parameters", .driverError),
        Rule("Error querying the session attributes", .driverError),
        Rule("Error during set display handle", .driverError),
        Rule("Error getting handle session", .driverError),
        Rule("Error setting a HW handle", .driverError),
        Rule("Error joining session", .driverError),
        Rule("Error setting a frame allocator", .driverError),
        Rule("CUDA_ERROR_", .driverError),
        Rule("OpenEncodeSessionEx failed", .driverError),
        Rule("No capable devices found", .unsupported),
        // One of several GPUs failed: an earlier message says why, or the GPU does not exist.
        Rule("Requested GPU ", .deviceGone),
        Rule("Failed locking bitstream buffer", .driverError),
        Rule("Failed unlocking bitstream buffer", .driverError),
        // CUDA without a name for the error.
        Rule("cuda_dl->cu", .driverError),
        Rule("Device creation failed: -13.", .permission),
        Rule("Device creation failed", .driverError),
        // After the rules that name the call: libva's own words, which FFmpeg repeats for every call.
        Rule("(the requested VAProfile is not supported)", .unsupported),
        Rule("(the requested VAEntryPoint is not supported)", .unsupported),
        Rule("(the requested RT Format is not supported)", .unsupported),
        Rule("(HW busy now)", .driverError),
        Rule("(operation failed)", .driverError),
        Rule("(resource allocation failed)", .driverError),
        Rule("(internal encoding error)", .driverError),
        Rule("(unknown libva error", .driverError),
        Rule("(the requested function is not implemented)", .unsupported),
        Rule("(an invalid/unsupported value was supplied)", .unsupported),
        Rule("(an unsupported memory type was supplied)", .unsupported),
        Rule("(resolution not supported)", .unsupported),
        Rule("(attribute not supported)", .unsupported),
        Rule("(invalid VA", .driverError),
        Rule("(invalid parameter)", .driverError),
        Rule("(surface is in use)", .driverError),
        // The last message of VA-API's encoders after any error.
        Rule("Encode failed: ", .driverError),
        Rule("Output failed: ", .driverError),
    ]

    /// Errors on an encoder's own pipes: they occur when the service closes them.
    private static let ownEnds = [
        Rule("Broken pipe", .reset),
        Rule("Input/output error", .driverError),
    ]

    /// Errors of a source that was cut off: FFmpeg ends with status 0, as after a complete file.
    private static let cuts = [
        Rule("Stream ends prematurely", .reset),
        Rule("Connection reset by peer", .reset),
        Rule("Connection timed out", .timeout),
    ]

    /// Errors of a recording or a file source.
    private static let disk = [
        Rule("Input/output error", .diskError),
        Rule("Remote I/O error", .diskError),
        Rule("Stale file handle", .diskError),
        Rule("Connection timed out", .diskError),
        Rule("File too large", .fileTooLarge),
    ]

    private static let network = [
        Rule("Address already in use", .addressInUse),
        Rule("unable to create/configure SRT socket", .addressInUse),
        // SRT prints why the peer rejected the connection. FFmpeg prints only `Input/output error` after it.
        Rule("Incorrect passphrase", .rejected),
        Rule("Password required or unexpected", .rejected),
        Rule("REJECT reported", .rejected),
        Rule("SRTO_PASSPHRASE", .rejected),
        Rule("Server error: ", .rejected),
        Rule("NetStream.Publish.", .rejected),
        // FFmpeg 9 checks certificates by default (GnuTLS).
        Rule("Peer certificate failed verification", .untrusted),
        Rule("Unable to verify peer certificate", .untrusted),
        // The same from an FFmpeg with OpenSSL.
        Rule("certificate verify failed", .untrusted),
        Rule("certificate's owner does not match hostname", .misnamed),
        // FFmpeg before 9 follows a redirection, and then cannot use the TLS options.
        Rule("Protocol 'http' not on whitelist", .unencrypted),
        Rule("Option tls_verify not found", .unencrypted),
        Rule("Option ca_file not found", .unencrypted),
        Rule("Format not on whitelist '\(RelayCommand.containers)", .playlist),
        Rule("authorization failed", .rejected),
        Rule("access denied", .rejected),
        Rule("Server returned 401", .rejected),
        Rule("Server returned 403", .rejected),
        Rule("Server returned 404", .notFound),
        Rule("method SETUP failed: 461", .wrongTransport),
        Rule("Nonmatching transport in server reply", .wrongTransport),
        // 400, 429, 4XX, 5XX: earlier rules say more.
        Rule("Server returned ", .serverError),
        Rule("Connection refused", .connectionRefused),
        Rule("Failed to resolve hostname", .unresolved),
        Rule("No route to host", .unreachable),
        Rule("Network is unreachable", .unreachable),
        Rule("Network is down", .unreachable),
        // From GnuTLS, and from OpenSSL.
        Rule("An unexpected TLS packet was received", .wrongProtocol),
        Rule("An unexpected TLS handshake packet was received", .wrongProtocol),
        Rule("wrong version number", .wrongProtocol),
        Rule("Connection timed out", .timeout),
        // It closed the connection, as a port for TLS or HTTP does.
        Rule("Cannot read RTMP handshake response", .wrongProtocol),
        Rule("Connection reset by peer", .reset),
        Rule("Broken pipe", .reset),
        Rule("End of file", .reset),
    ]

    private static let general = [
        Rule("Device or resource busy", .busy),
        Rule("No space left on device", .diskFull),
        Rule("Disk quota exceeded", .diskFull),
        Rule("Read-only file system", .unwritable),
        Rule("Permission denied", .permission),
        Rule("Operation not permitted", .permission),
        // After the rules that say why.
        Rule("Failed to open segment", .unwritable),
        Rule("could not find codec parameters", .invalidData),
        Rule("Invalid data found when processing input", .invalidData),
        Rule("matches no streams", .invalidData),
        Rule("sample rate not set", .invalidData),
        Rule("dimensions not set", .invalidData),
    ]

    private static func first(of rules: [Rule], in lines: [String]) -> FailureCause? {
        rules.first { rule in lines.contains { contains($0, rule.text) } }?.cause
    }

    /// Tells apart a device or port and a folder, for which FFmpeg prints the same words.
    private static func permission(_ role: FFmpegCommand.Role, _ lines: [String]) -> FailureCause {
        let isFile = lines.contains { line in
            contains(line, "Permission denied") && !contains(line, "://")
        }
        return role == .publisher && isFile ? .unwritable : .permission
    }

    /// Finds the cause by the circumstances, if the messages alone do not give it.
    private static func vague(
        _ role: FFmpegCommand.Role, _ lines: [String], isOutputOpen: Bool, lasted: Duration
    ) -> FailureCause? {
        let says = { (first: String, second: String) in
            lines.contains { contains($0, first) && contains($0, second) }
        }
        // No answer within SRT's three seconds. If the peer had rejected the connection, SRT would have printed it.
        if says("Connection to srt://", "failed") { return .timeout }
        // FFmpeg prints this guess about codec parameters for every failure to write a header.
        if says("No such file or directory", "") { return role == .publisher ? .unwritable : .notFound }
        if says("rtmp", "Input/output error") {
            guard role == .publisher, !isOutputOpen else { return .reset }
            // The server did not answer for as long as FFmpeg waits, which FFmpeg does not say. Or it closed the
            // connection, because it does not know the application or the key.
            return lasted >= PublisherCommand.answerPatience ? .timeout : .rejected
        }
        if says("Input/output error", "") { return .reset }
        if says("incorrect codec parameters", "") { return .invalidData }
        return nil
    }

    private static func contains(_ text: String, _ part: String) -> Bool {
        guard let start = part.utf8.first else { return true }
        var rest = text.utf8[...]
        while let index = rest.firstIndex(of: start) {
            if rest[index...].starts(with: part.utf8) { return true }
            rest = rest[rest.index(after: index)...]
        }
        return false
    }
}
