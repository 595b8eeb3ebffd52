/// What an encoder does with the video.
public enum VideoTreatment: Sendable {
    case copy
    case encode(VideoSettings, with: any EncoderRecipe)
}
