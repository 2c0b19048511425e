"""Admin screens: configuration and three-line actions.

Importing the package imports no screen: the site itself lives in it and is made first. `screens` lists them.
"""
