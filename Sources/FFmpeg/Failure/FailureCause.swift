/// Why a child ended by itself. The cause picks the answer.
package enum FailureCause: String, Sendable, Hashable, CaseIterable {
    // The machine
    case deviceGone = "device-gone"
    case driverError = "driver-error"
    case driverMissing = "driver-missing"
    case sessionLimit = "session-limit"
    case permission
    /// Another program has the device.
    case busy
    /// Size, profile, filter chain or encoder that this FFmpeg or device cannot do.
    case unsupported
    /// A signal of the process's own making.
    case crash
    /// SIGKILL from elsewhere: most often the kernel, out of memory.
    case killed

    // The network
    /// No name server knows the host's name, or none answers.
    case unresolved
    case refused
    case unreachable
    case timeout
    /// It took nothing any more, and was ended for that.
    case stuck
    case reset
    /// The peer answered and did not let us in: key, passphrase, name already in use.
    case rejected
    /// It answered the request with an error (400, 429, 5XX), and lets no one else in either.
    case serverError = "server-error"
    /// What listens does not speak the protocol of the address: RTMP or TLS.
    case wrongProtocol = "other-protocol"
    /// Its certificate is signed by no authority that is trusted, or its dates have passed: FFmpeg does not tell which.
    case untrusted
    /// No authority that is trusted has signed its certificate.
    case unsigned = "unknown-authority"
    /// Its certificate has expired, or is not valid yet.
    case outdated = "certificate-dates"
    /// The system has no authorities, so no certificate is trusted.
    case noAuthorities = "no-authorities"
    /// Its certificate is valid, and another host's.
    case misnamed = "other-host"
    /// It gives a playlist, and this FFmpeg does not check the servers that one names.
    case playlist = "unchecked-playlist"
    /// It leads from https to an address without TLS.
    case unencrypted
    /// It does not send by the transport that was asked for (RTSP status 461).
    case wrongTransport = "other-transport"
    case notFound = "not-found"
    case addressInUse = "address-in-use"

    // The media
    case invalidData = "invalid-data"
    case ended

    // The disk
    case unwritable
    case diskFull = "disk-full"
    /// It was pulled, or its server has gone, or it is broken.
    case diskError = "disk-error"
    /// Its file system takes no larger file.
    case fileTooLarge = "file-too-large"

    case notStarted = "not-started"
    case unknown

    /// The peer said it: ``PeerWords`` are of this.
    package var isAnswer: Bool {
        switch self {
        case .rejected, .serverError, .wrongTransport, .notFound: true
        default: false
        }
    }

    /// For people, with what they can do.
    ///
    /// - Parameter words: What the peer said of it, for people to read; `nil` where it said nothing.
    package func sentenceWithAdvice(quoting words: String? = nil) -> String {
        "\(sentence)\(words.map { " and says “\($0)”" } ?? ""); \(advice)"
    }

    private var advice: String {
        switch self {
        case .deviceGone: "check its seat, cable and power"
        case .driverError: "see the log, and restart the box if it stays so"
        case .driverMissing: "install the driver for the device"
        case .sessionLimit: "use it for fewer groups"
        case .permission: "give it the rights, or choose another"
        case .busy: "end that program"
        case .unsupported: "see the log for what, and change the configuration"
        case .crash: "it is started again; if it stays so, update FFmpeg"
        case .killed: "see whether the box is short of memory"
        case .unresolved: "check how the host's name is written, and that this box has a name server that answers"
        case .refused: "see whether a server runs there, and check address and port"
        case .unreachable: "check its address and this box's network"
        case .timeout: "check its address and port, and whether a firewall is in the way"
        case .stuck: "check the network to it, or the disk that it writes to"
        case .reset: "see what the other end says of it"
        case .rejected: "check the key or the passphrase, and that nobody else uses it"
        case .serverError: "check the address and what its operator says; it is tried again"
        case .wrongProtocol:
            "check the port, and whether the address begins with rtmp or rtmps, http or https;"
                + " a server that is just starting may answer like this, too"
        case .untrusted: "check the address and this box's clock; for a certificate of your own write tls: { ca: FILE }"
        case .unsigned: "check the address; for a certificate of your own write tls: { ca: FILE }"
        case .noAuthorities: "install the package \(SystemAuthorities.package)"
        case .outdated: "check this box's clock; if it is right, the certificate has to be renewed"
        case .misnamed: "check the address: whoever answers there is not the server of that name"
        case .playlist: "write tls: { verify: none } to do without"
        case .unencrypted: "pull from an address that stays with https, or write tls: { verify: none } to do without"
        case .wrongTransport: "leave `transport:` out, so that the other one is tried, too"
        case .notFound: "check the address or the path"
        case .addressInUse: "end that program, or choose another port"
        case .invalidData: "check what it sends, or that the file is whole"
        case .ended: "see whether its sender runs"
        case .unwritable: "make it writable for the service's user"
        case .diskFull: "free some room, or set `keep` lower"
        case .diskError: "check its cable, or the server that has it, and what the kernel says of it (journalctl -k)"
        case .fileTooLarge: "set `segment` lower, or use another file system"
        case .notStarted, .unknown: "see the log"
        }
    }

    /// For people.
    package var sentence: String {
        switch self {
        case .deviceGone: "the device is gone"
        case .driverError: "the driver reported an error"
        case .driverMissing: "the driver or its library is missing"
        case .sessionLimit: "the device allows no further encoding session"
        case .busy: "another program has the device"
        case .permission: "this user may not open the device, the port or the file"
        case .unsupported: "FFmpeg or the device cannot do what was asked"
        case .crash: "FFmpeg crashed"
        case .killed: "FFmpeg was killed from outside, perhaps for want of memory"
        case .unresolved: "the host's name could not be resolved"
        case .refused: "the peer refused the connection"
        case .unreachable: "the peer could not be reached"
        case .timeout: "the peer did not answer in time"
        case .stuck: "it took nothing any more"
        case .reset: "the peer closed the connection"
        case .rejected: "the peer did not let us in"
        case .serverError: "the server answered with an error"
        case .wrongProtocol: "what listens there does not speak the protocol of the address, RTMP or TLS"
        case .untrusted:
            "the server's certificate is not trusted: no known authority has signed it, or its dates have passed"
        case .unsigned: "the server's certificate is not trusted: no known authority has signed it"
        case .noAuthorities:
            "the server's certificate cannot be checked: the authorities that this system trusts are not installed"
        case .outdated: "the server's certificate is not trusted: it has expired, or is not valid yet"
        case .misnamed: "the server's certificate is another host's"
        case .playlist:
            "the address gives a playlist, and this FFmpeg does not check the servers that one names, as FFmpeg 9 does"
        case .unencrypted: "the https address leads to one without TLS, by a redirection or in a playlist"
        case .wrongTransport: "the camera does not send by that transport"
        case .notFound: "the peer or the disk has nothing of that name"
        case .addressInUse: "another program listens on that port"
        case .invalidData: "the input is not what FFmpeg can read"
        case .ended: "the input ended"
        case .unwritable: "the folder cannot be written to"
        case .diskFull: "the disk is full"
        case .diskError: "the disk, or the share, is gone or fails"
        case .fileTooLarge: "the file system takes no larger file"
        case .notStarted: "FFmpeg could not be started"
        case .unknown: "FFmpeg ended for a reason it did not tell"
        }
    }
}
