"""What may have been done to a sound whose phases are a model's own: operations on its log-mel."""

from diagnose.log_mel import detail, level, overdriven, scale_curve, scene, smoothed

__all__ = ["detail", "level", "overdriven", "scale_curve", "scene", "smoothed"]
