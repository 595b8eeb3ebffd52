import Synchronization

/// Lets so many bodies run at one time; the others wait their turn, in order.
///
/// Swift Testing begins every test at once. Tests that each start several real programs would then share two cores
/// among fifty processes, and run into limits that say nothing about what they test.
final class Turns: Sendable {
    /// Tests with a stage of programs.
    static let stages = Turns(3)

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func give() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
