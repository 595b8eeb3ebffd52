/// The formats of a feed's audio since its era began.
enum EraAudioFormats: Sendable {
    case none
    case one(AACFormat)
    case several

    /// - Parameter format: `nil` if it is not known.
    mutating func note(_ format: AACFormat?) {
        guard let format else { return }
        switch self {
        case .none: self = .one(format)
        case .one(let known): if known != format { self = .several }
        case .several: break
        }
    }
}
