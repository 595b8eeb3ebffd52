/// The data path has no channel or group of this name, or has it no longer.
package struct UnknownFeed: Error, Sendable, Hashable, CustomStringConvertible {
    package var name: DataPath.FeedName

    package var description: String {
        switch name {
        case .channel(let name): "the data path has no channel \(name)"
        case .group(let name): "the data path has no group \(name)"
        }
    }
}
