import Foundation

/// Runs a blocking function on a thread of its own.
///
/// Tasks and `DispatchQueue.global()` share one thread per processor. If those threads block, Dispatch adds one thread
/// per second, and meanwhile every test stands still.
package func onOwnThread<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
        Thread.detachNewThread { continuation.resume(returning: Result(catching: body)) }
    }
    return try result.get()
}
