import BoxConfiguration
import FFmpeg
import Glibc

extension ChildMonitor {
    /// How long a server may take to show its certificate once more.
    private static let certificatePatience = Duration.seconds(3)

    /// The end of a child, with the check that the certificate of its server failed where FFmpeg did not say it.
    ///
    /// - Parameter question: Put to the same server; `nil` for none.
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
    /// For what is pulled; `nil` for any other source.
    init?(_ source: SourceKind) {
        guard case .pull(let pull) = source else { return nil }
        self.init(url: pull.url, check: PeerCheck(pull.tls))
    }

    /// For an RTMPS target; `nil` for any other.
    init?(_ destination: TargetDestination) {
        guard case .rtmp(let rtmp) = destination else { return nil }
        self.init(url: rtmp.url, check: PeerCheck(rtmp.tls))
    }
}
