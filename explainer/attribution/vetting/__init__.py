"""Array code that tests a model before it is served: is it what its explanations will show, is its background true?"""
