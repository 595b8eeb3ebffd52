import BoxConfiguration
import FFmpeg
import Glibc

extension ChildMonitor {
    /// The time limit for a server to send its certificate again.
    private static let certificatePatience = Duration.seconds(3)

    /// Returns the exit of a child, with the check that the server's certificate failed if FFmpeg did not say which.
    ///
    /// - Parameter question: Asks the same server for its certificate. `nil` if there is no such server.
    func explained(_ exit: ChildExit, by question: CertificateQuestion?, child: ChildHandle) async -> ChildExit {
        guard let question, exit.cause == .untrusted, child.requested == nil else { return exit }
        if question.asksSystem, !SystemAuthorities.areInstalled {
            return ChildExit(status: exit.status, asked: exit.asked, cause: .noAuthorities, log: exit.log)
        }
        guard access(CertificateQuestion.program, X_OK) == 0 else { return exit }
        let openssl = FFmpegBinary(path: CertificateQuestion.program, capabilities: context.ffmpeg.capabilities)
        let (answer, _) = await BoundedChild.run(
            question.command, binary: openssl, environment: context.environment, limit: Self.certificatePatience,
            launcher: context.launcher, clock: context.clock)
        guard let cause = CertificateQuestion.cause(in: answer.log) else { return exit }
        return ChildExit(status: exit.status, asked: exit.asked, cause: cause, log: exit.log)
    }
}

extension CertificateQuestion {
    /// The question for a pulled source. `nil` for any other source.
    init?(_ source: SourceKind) {
        guard case .pull(let pull) = source else { return nil }
        self.init(url: pull.url, check: PeerCheck(pull.tls))
    }

    /// The question for an RTMPS target. `nil` for any other target.
    init?(_ destination: TargetDestination) {
        guard case .rtmp(let rtmp) = destination else { return nil }
        self.init(url: rtmp.url, check: PeerCheck(rtmp.tls))
    }
}
