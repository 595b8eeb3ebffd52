/// The result of asking a VA driver.
package enum VAResult: Sendable, Hashable {
    case report(VAReport)
    case failed(VAFailure)
}
