"""What may have been done to a sound whose phases are a model's own: operations on its log-mel."""

from diagnose.log_mel import level, overdriven, scale_curve, scene, smoothed

__all__ = ["level", "overdriven", "scale_curve", "scene", "smoothed"]
