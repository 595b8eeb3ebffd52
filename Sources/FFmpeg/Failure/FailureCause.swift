/// Why a child ended without being asked to. The cause decides how the service reacts.
package enum FailureCause: String, Sendable, Hashable, CaseIterable {
    // The machine
    case deviceGone = "device-gone"
    case driverError = "driver-error"
    case driverMissing = "driver-missing"
    case sessionLimit = "session-limit"
    case permission
    /// Another program has the device.
    case busy
    /// This FFmpeg or device does not support the size, profile, filter chain or encoder.
    case unsupported
    /// A signal that the process caused itself.
    case crash
    /// SIGKILL from outside: usually from the kernel, because memory ran out.
    case killed

    // The network
    /// No name server knows the host's name, or none answers.
    case unresolved
    /// The host refused the connection: usually no program listens on the port.
    case connectionRefused = "refused"
    case unreachable
    case timeout
    /// The target accepted no more data, so the process was ended.
    case stuck
    case reset
    /// The peer answered and rejected the stream: key, passphrase, name already in use.
    case rejected
    /// The server answered the request with an error (400, 429, 5XX), and rejects other clients too.
    case serverError = "server-error"
    /// The port does not answer in the protocol of the address: RTMP or TLS.
    case wrongProtocol = "other-protocol"
    /// No trusted authority has signed the certificate, or its dates have passed. FFmpeg does not say which.
    case untrusted
    /// No trusted authority has signed the certificate.
    case unsigned = "unknown-authority"
    /// The certificate has expired, or is not valid yet.
    case outdated = "certificate-dates"
    /// The system has no authorities, so it trusts no certificate.
    case noAuthorities = "no-authorities"
    /// The certificate is valid, but for another host.
    case misnamed = "other-host"
    /// The address is a playlist, and this FFmpeg does not check the servers that a playlist names.
    case playlist = "unchecked-playlist"
    /// An https address leads to an address without TLS.
    case unencrypted
    /// The camera does not support the requested transport (RTSP status 461).
    case wrongTransport = "other-transport"
    case notFound = "not-found"
    case addressInUse = "address-in-use"

    // The media
    case invalidData = "invalid-data"
    case ended

    // The disk
    case unwritable
    case diskFull = "disk-full"
    /// The disk was unplugged, its server has gone, or it is broken.
    case diskError = "disk-error"
    /// The file system allows no larger file.
    case fileTooLarge = "file-too-large"

    case notStarted = "not-started"
    case unknown

    /// Whether the peer answered with an error, so that ``PeerWords`` may quote it.
    package var isAnswer: Bool {
        switch self {
        case .rejected, .serverError, .wrongTransport, .notFound: true
        default: false
        }
    }

    /// A sentence for display, with advice.
    ///
    /// - Parameter words: The peer's own words. `nil` if it said nothing.
    package func sentenceWithAdvice(quoting words: String? = nil) -> String {
        "\(sentence)\(words.map { " and says “\($0)”" } ?? ""); \(advice)"
    }

    private var advice: String {
        switch self {
        case .deviceGone: "check its slot, cable and power"
        case .driverError: "see the log; if it happens again, restart the box"
        case .driverMissing: "install the driver for the device"
        case .sessionLimit: "use it for fewer groups"
        case .permission: "give the service's user the rights, or choose another"
        case .busy: "close that program"
        case .unsupported: "see the log for the option, and change the configuration"
        case .crash: "it is restarted automatically; if it crashes again, update FFmpeg"
        case .killed: "check whether the box is short of memory"
        case .unresolved: "check the spelling of the host's name, and whether this box has a name server that answers"
        case .connectionRefused: "check address and port, and whether a server runs there"
        case .unreachable: "check its address and this box's network"
        case .timeout: "check its address and port, and whether a firewall blocks the connection"
        case .stuck: "check the network to it, or the disk that it writes to"
        case .reset: "check the log of the other end"
        case .rejected: "check the key or the passphrase, and whether another sender uses it"
        case .serverError: "check the address and the status page of its operator; it is retried automatically"
        case .wrongProtocol:
            "check the port, and whether the address begins with rtmp or rtmps, http or https;"
                + " a server that is just starting may also answer like this"
        case .untrusted: "check the address and this box's clock; for a certificate of your own write tls: { ca: FILE }"
        case .unsigned: "check the address; for a certificate of your own write tls: { ca: FILE }"
        case .noAuthorities: "install the package \(SystemAuthorities.package)"
        case .outdated: "check this box's clock; if it is right, the certificate has to be renewed"
        case .misnamed: "check the address: the server that answers does not have that name"
        case .playlist: "write tls: { verify: none } to use it without a check"
        case .unencrypted:
            "pull from an address that stays with https, or write tls: { verify: none } to use it without a check"
        case .wrongTransport: "remove `transport:`, so that the other transport is tried too"
        case .notFound: "check the address or the path"
        case .addressInUse: "close that program, or choose another port"
        case .invalidData: "check what it sends, or whether the file is complete"
        case .ended: "check whether its sender runs"
        case .unwritable: "make it writable for the service's user"
        case .diskFull: "free some room, or set `keep` lower"
        case .diskError: "check its cable, or its file server, and the kernel's messages (journalctl -k)"
        case .fileTooLarge: "set `segment` lower, or use another file system"
        case .notStarted, .unknown: "see the log"
        }
    }

    /// A sentence for display, without advice.
    package var sentence: String {
        switch self {
        case .deviceGone: "the device is gone"
        case .driverError: "the driver reported an error"
        case .driverMissing: "the driver or its library is missing"
        case .sessionLimit: "the device allows no further encoding session"
        case .busy: "another program uses the device"
        case .permission: "this user may not open the device, the port or the file"
        case .unsupported: "FFmpeg or the device does not support a requested option"
        case .crash: "FFmpeg crashed"
        case .killed: "another process killed FFmpeg, perhaps because memory ran out"
        case .unresolved: "the host's name could not be resolved"
        case .connectionRefused: "the peer refused the connection"
        case .unreachable: "the peer could not be reached"
        case .timeout: "the peer did not answer in time"
        case .stuck: "it accepted no more data"
        case .reset: "the peer closed the connection"
        case .rejected: "the peer rejected the stream"
        case .serverError: "the server answered with an error"
        case .wrongProtocol: "the port does not answer in the protocol of the address, RTMP or TLS"
        case .untrusted:
            "the server's certificate is not trusted: no known authority has signed it, or its dates have passed"
        case .unsigned: "the server's certificate is not trusted: no known authority has signed it"
        case .noAuthorities:
            "the server's certificate cannot be checked: the authorities that this system trusts are not installed"
        case .outdated: "the server's certificate is not trusted: it has expired, or is not valid yet"
        case .misnamed: "the server's certificate is for another host"
        case .playlist:
            "the address is a playlist, and FFmpeg before version 9 does not check the servers that a playlist names"
        case .unencrypted: "the https address leads to an address without TLS, by a redirection or in a playlist"
        case .wrongTransport: "the camera does not support that transport"
        case .notFound: "the peer or the disk has no stream or file of that name"
        case .addressInUse: "another program listens on that port"
        case .invalidData: "FFmpeg cannot read the input"
        case .ended: "the input ended"
        case .unwritable: "the folder cannot be written to"
        case .diskFull: "the disk is full"
        case .diskError: "the disk or the network share is gone or reports errors"
        case .fileTooLarge: "the file is as large as the file system allows"
        case .notStarted: "FFmpeg could not be started"
        case .unknown: "FFmpeg ended without giving a reason"
        }
    }
}
