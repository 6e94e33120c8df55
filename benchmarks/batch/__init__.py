"""Exports beside a script with shap, on two processors; and killed again and again."""
