import Foundation

/// Runs what blocks on a thread of its own.
///
/// Tasks and `DispatchQueue.global()` share a thread for each processor. Where those block, Dispatch adds one in a
/// second, and all that tests wait for stands still meanwhile.
package func onOwnThread<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
        Thread.detachNewThread { continuation.resume(returning: Result(catching: body)) }
    }
    return try result.get()
}
