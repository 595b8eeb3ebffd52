import Glibc

/// An error that ends a command: the exit status, and the text for standard error.
struct Failure: Error, CustomStringConvertible {
    var status: CInt
    var description: String

    /// A failure at run time. An error that is a ``Failure`` already stays as it is.
    static func atRunTime(_ error: any Error) -> Failure {
        error as? Failure ?? Failure(status: 1, description: "streambox: \(error)")
    }

    /// A mistake in the configuration or in the request.
    static func inConfiguration(_ error: any Error) -> Failure { Failure(status: 2, description: "\(error)") }
}
