/// What became of asking a VA driver.
public enum VAResult: Sendable, Hashable {
    case report(VAReport)
    case failed(VAFailure)
}
